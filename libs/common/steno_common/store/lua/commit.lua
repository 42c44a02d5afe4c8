-- One span of a session is finished: its audio goes, its events come, the checkpoint moves.
-- ARGV  1 sid        2 token       3 number      4 consumed    5 trim_from   6 done
--       7 offset     8 border      9 context    10 heard      11 speech     12 silence
--      13 window    14 closing    15 lease_ms   16 idle_ms    17 arrival_ms
--      18 start     19 end (of the final that the first payload is; -1: none)
--      20 measured ('' as it was)      21 engine      22... payloads
-- ->  {1 committed | 0 repeated, number was committed before
--      | -1 fenced, or Redis has lost the session or commits before this one, event}
if redis.call('HGET', FENCES, SID) ~= ARGV[2] or redis.call('EXISTS', META) == 0 then
  return {-1, 0}
end
local held = redis.call('HMGET', META, 'commits', 'wfrom', 'last_end', 'event')
if int(ARGV[3]) <= int(held[1]) then return {0, int(held[4])} end
if int(ARGV[3]) > int(held[1]) + 1 then return {-1, 0} end
local last = redis.call('XRANGE', AUDIO, ARGV[6] .. '-0', ARGV[6] .. '-0')[1]
-- First of all writes: it frees memory, so that a full Redis can still be worked off.
redis.call('XTRIM', AUDIO, 'MINID', ARGV[5])
-- What a decoder needs to go on behind the last chunk that is done.
if last then redis.call('HSET', META, 'carried', field(last[2], 'r') or '') end
local at = now()
local window, due = int(ARGV[13]), ARGV[14] == '1'
local open, last_end = held[2], int(held[3])
redis.call('HSET', META, 'commits', ARGV[3], 'consumed', ARGV[4], 'done', ARGV[6],
  'offset', ARGV[7], 'border', ARGV[8], 'context', ARGV[9], 'heard', ARGV[10], 'engine', ARGV[21])
if ARGV[20] ~= '' then redis.call('HSET', META, 'measured', ARGV[20]) end
redis.call('HINCRBY', META, 'transcribed', ARGV[11])
redis.call('HINCRBY', META, 'silence', ARGV[12])
local event = int(held[4])
for i = 22, #ARGV do
  event = record(ARGV[i])
  if i == 22 and ARGV[19] ~= '-1' then
    if not open then
      redis.call('HSET', META, 'wfrom', event)
      open = event
    elseif int(ARGV[18]) - last_end >= window then
      due = true
    end
    last_end = int(ARGV[19])
    redis.call('HSET', META, 'last_end', last_end)
    redis.call('HINCRBY', META, 'finals', 1)
    if ARGV[17] ~= '0' then
      redis.call('HINCRBY', META, 'lat_sum', at - ARGV[17])
      redis.call('HINCRBY', META, 'lat_n', 1)
    end
  end
end
if due or (open and int(ARGV[10]) - last_end >= window) then redis.call('ZADD', DUE, at, SID) end
redis.call('HDEL', TRIES, SID)
local empty = redis.call('XLEN', AUDIO) == 0
if empty then leave_lines(SID) end
-- A marker ends its owner's claim. Between two chunks the owner stays, with what it keeps open.
if empty and string.sub(ARGV[4], -2) ~= '-0' then
  redis.call('ZREM', LEASES, SID)
else
  redis.call('ZADD', LEASES, at + ARGV[15], SID)
end
live(ARGV[16])
ring()
return {1, event}
