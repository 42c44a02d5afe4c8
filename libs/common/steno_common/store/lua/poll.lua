-- The client of this connection is still there.
-- ARGV sid conn idle_ms abandon_ms figures ('' as they were) handed
-- ->  {1 | -4 superseded | -5 missing, event, done, backlog, status, epoch,
--      1 if audio waits and no transcriber holds the session}
local held = redis.call('HMGET', META, 'conn', 'event', 'done', 'received', 'border', 'status',
  'epoch')
if not held[1] then return {-5, 0, 0, 0, '', '', 0} end
local at, lease = now(), redis.call('ZSCORE', LEASES, SID)
local waits = redis.call('ZSCORE', WAITING, SID) or redis.call('ZSCORE', LINED, SID)
local unclaimed = waits or (lease and int(lease) <= at)
local answer = {1, int(held[2]), int(held[3]), int(held[4]) - int(held[5]), held[6], held[7],
  unclaimed and 1 or 0}
if held[1] ~= ARGV[2] then
  answer[1] = -4
elseif redis.call('ZSCORE', SESSIONS, SID) then
  -- First the write that takes no memory: after it a full Redis refuses none.
  live(ARGV[3])
  redis.call('HSET', META, 'seen', at)
  if ARGV[5] ~= '' then redis.call('HSET', META, 'figures', ARGV[5]) end
  hand(ARGV[6])
  redis.call('ZADD', SESSIONS, at + ARGV[4], SID)
end
return answer
