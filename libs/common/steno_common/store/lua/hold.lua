-- What was taken of an index stays taken; what is due to others by now, or waits for longer, stays so.
-- KEYS index   ARGV lease_ms member...  ->  how many stay taken
local at, held = now(), 0
-- First a write that takes no memory: after it a full Redis refuses none.
redis.call('ZREM', KEYS[1], '')
for i = 2, #ARGV do
  local due = int(redis.call('ZSCORE', KEYS[1], ARGV[i]))
  if due > at and due < at + ARGV[1] then
    redis.call('ZADD', KEYS[1], at + ARGV[1], ARGV[i])
    held = held + 1
  end
end
return held
