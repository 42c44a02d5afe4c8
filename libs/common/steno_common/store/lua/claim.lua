-- Takes over sessions: those whose owner let its lease run out, then those that waited longest.
-- KEYS waiting leases fences tries   ARGV ttl_ms count  ->  {sid, token, tries, ...}
local WAITING, LEASES, FENCES, TRIES = unpack(KEYS)
local at, room, claimed = now(), int(ARGV[2]), {}
local function own(sid)
  -- First a write that takes no memory: after it a full Redis refuses none.
  redis.call('ZREM', WAITING, sid)
  redis.call('ZADD', LEASES, at + ARGV[1], sid)
  claimed[#claimed + 1] = sid
  local token = newer(redis.call('HGET', FENCES, sid))
  redis.call('HSET', FENCES, sid, token)
  claimed[#claimed + 1] = token
  claimed[#claimed + 1] = redis.call('HINCRBY', TRIES, sid, 1)
  room = room - 1
end
for _, sid in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', at, 'LIMIT', 0, room)) do own(sid) end
if room > 0 then
  for _, sid in ipairs(redis.call('ZRANGE', WAITING, 0, room - 1)) do own(sid) end
end
return claimed
