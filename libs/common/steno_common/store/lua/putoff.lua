-- What was taken of an index is given back, to be taken in so many ms by whoever comes first.
-- KEYS index   ARGV ms member...  ->  how many of them are in it
local due, known = now() + ARGV[1], 0
-- First a write that takes no memory: after it a full Redis refuses none.
redis.call('ZREM', KEYS[1], '')
for i = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
    redis.call('ZADD', KEYS[1], due, ARGV[i])
    known = known + 1
  end
end
return known
