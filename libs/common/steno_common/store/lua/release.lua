-- Gives a session back at once; what waits of it waits for another worker.
-- ARGV sid token resting (the engine that failed for it, '' none) rest_ms  ->  1 released, 0 it belongs to another
if redis.call('HGET', FENCES, SID) ~= ARGV[2] then return 0 end
if redis.call('EXISTS', META) == 0 then
  forget()
  return 1
end
redis.call('ZREM', LEASES, SID)
redis.call('HDEL', TRIES, SID)
if ARGV[3] ~= '' then rest(SID, ARGV[3], now() + ARGV[4]) end
local first = redis.call('XRANGE', AUDIO, '-', '+', 'COUNT', 1)[1]
if first then want_worker(field(first[2], 't')) end
return 1
