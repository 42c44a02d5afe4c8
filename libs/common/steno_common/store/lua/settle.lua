-- Events through one are done with for a destination: delivered, not wanted, or the last of them a
-- letter. Its cursor moves; nobody moves it who read another life of the session, or another cursor.
-- KEYS as of any session, then letters, their size
-- ARGV  1 sid  2 name  3 epoch  4 from  5 to  6 lease_ms  7 retention_ms
--       8 letter ('' none)  9 most letters  10 their most bytes
--      11 gone ('1': it takes nothing any more)
-- ->  2 more follows, and stays taken, 1 nothing follows, 0 the cursor is elsewhere, -5 it is gone
local name = ARGV[2]
local place, cursor = SID .. '|' .. name, 'to:' .. name
local held = redis.call('HMGET', META, 'epoch', cursor, 'event', 'finished')
if not held[1] then
  redis.call('ZREM', OUTGOING, place)
  return -5
end
if held[1] ~= ARGV[3] then return 0 end
-- The second is a repeated call.
if int(held[2]) ~= int(ARGV[4]) and int(held[2]) ~= int(ARGV[5]) then return 0 end
-- First a write that takes no memory: after it a full Redis refuses none.
redis.call('HDEL', META, 'tries:' .. name)
if ARGV[8] ~= '' and int(held[2]) == int(ARGV[4]) then
  post_letter(KEYS[#KEYS - 1], KEYS[#KEYS], ARGV[8], int(ARGV[9]), int(ARGV[10]))
end
redis.call('HSET', META, cursor, ARGV[5])
if ARGV[11] == '1' then redis.call('HSET', META, 'gone:' .. name, 1) end
if int(held[3]) > int(ARGV[5]) then
  redis.call('ZADD', OUTGOING, now() + ARGV[6], place)
  return 2
end
redis.call('ZREM', OUTGOING, place)
if held[4] then
  for _, other in ipairs(places()) do
    if redis.call('ZSCORE', OUTGOING, other) then return 1 end
  end
  -- Nothing is left to be delivered: what remains is for late listeners.
  redis.call('PEXPIRE', META, ARGV[7])
  redis.call('PEXPIRE', LOG, ARGV[7])
end
return 1
