-- A try failed: the next one comes later, and all of the session's events stay until then and longer.
-- ARGV sid name epoch from tries wait_ms  ->  1 put off, 0 somebody else did, or moved the cursor,
--                                             -5 it is gone
local name = ARGV[2]
local place, tries = SID .. '|' .. name, 'tries:' .. name
local held = redis.call('HMGET', META, 'epoch', 'to:' .. name, tries, 'keep')
if not held[1] then
  redis.call('ZREM', OUTGOING, place)
  return -5
end
if held[1] ~= ARGV[3] or int(held[2]) ~= int(ARGV[4]) or int(held[3]) ~= int(ARGV[5]) then return 0 end
-- First a write that takes no memory: after it a full Redis refuses none.
stay(ARGV[6] + int(held[4]))
redis.call('HSET', META, tries, ARGV[5] + 1)
redis.call('ZADD', OUTGOING, now() + ARGV[6], place)
return 1
