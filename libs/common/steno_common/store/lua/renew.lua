-- KEYS waiting leases fences tries   ARGV ttl_ms (sid token)...  ->  sids that belong to others now
local LEASES, FENCES = KEYS[2], KEYS[3]
local at, lost = now(), {}
-- First a write that takes no memory: after it a full Redis refuses none.
redis.call('ZREM', LEASES, '')
for i = 2, #ARGV, 2 do
  if redis.call('HGET', FENCES, ARGV[i]) == ARGV[i + 1] then
    redis.call('ZADD', LEASES, 'XX', at + ARGV[1], ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
