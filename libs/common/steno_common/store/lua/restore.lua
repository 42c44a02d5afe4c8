-- Makes a session again as a client kept it, with its log, in a new epoch. One that is there stays as it
-- is, unless it stands behind that: then Redis has lost a part, and whoever owns it is fenced off.
-- ARGV  1 sid         2 config    3 epoch      4 conn      5 connections   6 commits    7 consumed
--       8 done        9 offset   10 border    11 context  12 heard        13 transcribed
--      14 silence    15 lat_sum  16 lat_n     17 carried  18 wfrom ('' none)
--      19 last_end   20 utterances            21 finals   22 idle_ms      23 abandon_ms
--      24 deliver      25 keep_ms   26 fields of the translations in the log, a map
--      27 policy ('' none)           28... payloads of all events
-- ->  1 restored, 0 it is there, -5 it was removed
if redis.call('EXISTS', REMOVED) == 1 then return -5 end
local held, event = redis.call('HMGET', META, 'done', 'event', 'conn'), #ARGV - 27
if held[3] and int(held[1]) >= int(ARGV[8]) and int(held[2]) >= event then return 0 end
redis.call('UNLINK', META, AUDIO, LOG)
redis.call('ZREM', LEASES, SID)
leave_lines(SID)
redis.call('HDEL', TRIES, SID)
redis.call('HSET', FENCES, SID, newer(redis.call('HGET', FENCES, SID)))
local at, sequence, n = now(), string.match(ARGV[7], '^(%d+)-(%d+)$')
redis.call('HSET', META, 'config', ARGV[2], 'epoch', ARGV[3], 'status', 'reconnecting',
  'before', int(sequence) > 0 and 'recording' or 'connected', 'seen', at,
  'conn', math.max(int(held[3]), int(ARGV[4]), at), 'connections', ARGV[5], 'next', ARGV[8] + 1,
  'received', ARGV[9], 'carry', ARGV[17], 'carried', ARGV[17], 'commits', ARGV[6],
  'consumed', ARGV[7], 'done', ARGV[8], 'offset', ARGV[9], 'border', ARGV[10],
  'context', ARGV[11], 'heard', ARGV[12], 'transcribed', ARGV[13], 'silence', ARGV[14],
  'lat_sum', ARGV[15], 'lat_n', ARGV[16], 'last_end', ARGV[19], 'utterances', ARGV[20],
  'finals', ARGV[21], 'event', event)
if n ~= '0' then redis.call('HSET', META, 'mseq', sequence, 'mn', n, 'mkind', '') end
if ARGV[18] ~= '' then
  redis.call('HSET', META, 'wfrom', ARGV[18])
  redis.call('ZADD', DUE, at, SID)
end
if ARGV[24] ~= '' then redis.call('HSET', META, 'deliver', ARGV[24], 'keep', ARGV[25]) end
-- All of it is delivered again, at once, whatever the life before was waiting for.
for _, place in ipairs(places()) do redis.call('ZREM', OUTGOING, place) end
for name, value in pairs(cmsgpack.unpack(ARGV[26])) do redis.call('HSET', META, name, value) end
if ARGV[27] ~= '' then redis.call('HSET', POLICIES, SID, ARGV[27]) end
for i = 28, #ARGV do redis.call('XADD', LOG, (i - 27) .. '-0', 'p', ARGV[i], 't', at) end
redis.call('ZADD', SESSIONS, at + ARGV[23], SID)
live(ARGV[22])
ring()
return 1
