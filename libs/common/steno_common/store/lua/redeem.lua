-- Takes letters that are to be sent again, those of the oldest events first. Some at a time, by one
-- notifier: while any are in somebody's hands there are none to be taken, or order would be lost.
-- KEYS replay   ARGV lease_ms count  ->  {id, ...}
local at = now()
-- First a write that takes no memory: after it a full Redis refuses none.
redis.call('ZREM', KEYS[1], '')
if redis.call('ZCOUNT', KEYS[1], '(' .. at, '+inf') > 0 then return {} end
local due = redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)
for _, id in ipairs(due) do redis.call('ZADD', KEYS[1], at + ARGV[1], id) end
return due
