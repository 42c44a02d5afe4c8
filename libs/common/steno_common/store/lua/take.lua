-- Takes what is due of an index, the longest first: for a while it is due for nobody else.
-- KEYS index   ARGV lease_ms count  ->  {member, ...}
local at = now()
-- First a write that takes no memory: after it a full Redis refuses none.
redis.call('ZREM', KEYS[1], '')
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at, 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], at + ARGV[1], member) end
return due
