-- A control marker takes its place in the audio, so that what follows from it does not depend on
-- when it is read. `end` may carry the tail that a decoder gave at the end of its input.
-- ARGV sid conn kind pcm status idle_ms behind
--   conn '' with kind 'end': for a session that counts as abandoned, nobody else's
--   behind: number of the chunk that it follows, '' for the last one, whichever that is
-- ->  1 marked, 0 nothing to mark, -1 gap, -4 superseded, -5 no such session
local held = redis.call('HMGET', META, 'conn', 'next', 'ended', 'mseq', 'mn', 'mkind', 'received')
if not held[1] then return -5 end
if held[3] then return 0 end
local at = now()
if ARGV[2] == '' then
  if int(redis.call('ZSCORE', SESSIONS, SID)) > at then return 0 end
elseif held[1] ~= ARGV[2] then
  return -4
end
local kind, sequence, n = ARGV[3], int(held[2]) - 1, 1
if ARGV[7] ~= '' then
  if sequence < int(ARGV[7]) then return -1 end
  -- A call that took long enough for more audio to come after it was repeated meanwhile, or given up.
  if sequence > int(ARGV[7]) then return 0 end
end
if held[4] and int(held[4]) == sequence then
  n = int(held[5]) + 1
  if kind == held[6] or (kind == 'finalize' and held[6] == 'idle') then return 0 end
elseif sequence == 0 and kind ~= 'end' then
  return 0
end
redis.call('XADD', AUDIO, sequence .. '-' .. n, 'c', kind, 'd', ARGV[4], 't', at)
redis.call('HSET', META, 'mseq', sequence, 'mn', n, 'mkind', kind,
  'received', int(held[7]) + #ARGV[4] / 2)
if kind == 'end' then
  redis.call('HSET', META, 'ended', 1)
  record_status(ARGV[5])
  ring()
end
want_worker(at)
live(ARGV[6])
return 1
