-- Takes over sessions: those whose owner let its lease run out, then those that waited longest.
-- KEYS waiting leases fences tries policies lined line (of the worker's engine)   ARGV ttl_ms count
-- ->  {sid, token, tries, ...}
local _, LEASES, FENCES, TRIES, _, _, LINE = unpack(KEYS)
WAITING, POLICIES, LINED = KEYS[1], KEYS[5], KEYS[6]
local at, room, claimed = now(), int(ARGV[2]), {}
local function own(sid)
  -- First a write that takes no memory: after it a full Redis refuses none.
  leave_lines(sid)
  redis.call('ZADD', LEASES, at + ARGV[1], sid)
  claimed[#claimed + 1] = sid
  local token = newer(redis.call('HGET', FENCES, sid))
  redis.call('HSET', FENCES, sid, token)
  claimed[#claimed + 1] = token
  claimed[#claimed + 1] = redis.call('HINCRBY', TRIES, sid, 1)
  room = room - 1
end
-- Those with a policy go back to their lines, whoever may take them: so they are in nobody's way here.
local expired = redis.call('ZRANGEBYSCORE', LEASES, '-inf', at, 'WITHSCORES', 'LIMIT', 0, math.max(room, 100))
for i = 1, #expired, 2 do
  if policy_of(expired[i]) then
    redis.call('ZREM', LEASES, expired[i])
    join_lines(expired[i], expired[i + 1])
  elseif room > 0 then
    own(expired[i])
  end
end
-- Who waits for any engine, who waits for this one: in the order in which their audio came.
local any, this, i, j = {}, {}, 1, 1
if room > 0 then
  any = redis.call('ZRANGE', WAITING, 0, room - 1, 'WITHSCORES')
  this = redis.call('ZRANGEBYSCORE', LINE, '-inf', at, 'WITHSCORES', 'LIMIT', 0, room)
end
while room > 0 and (any[i] or this[j]) do
  if any[i] and (not this[j] or int(any[i + 1]) <= int(this[j + 1])) then
    own(any[i])
    i = i + 2
  else
    own(this[j])
    j = j + 2
  end
end
return claimed
