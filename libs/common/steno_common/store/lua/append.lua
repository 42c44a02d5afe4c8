-- ARGV sid conn sequence pcm carry max_backlog_samples idle_ms
-- ->  {1 stored | 0 duplicate | -1 gap | -2 backlog full | -3 ended | -4 superseded | -5 missing,
--      next, done, backlog in samples}
local held = redis.call('HMGET', META, 'conn', 'next', 'ended', 'received', 'border', 'done')
if not held[1] then return {-5, 0, 0, 0} end
local next_sequence, received = int(held[2]), int(held[4])
local done, backlog = int(held[6]), received - int(held[5])
local sequence, samples = int(ARGV[3]), #ARGV[4] / 2
if held[1] ~= ARGV[2] then return {-4, next_sequence, done, backlog} end
if sequence < next_sequence then return {0, next_sequence, done, backlog} end
if held[3] then return {-3, next_sequence, done, backlog} end
if sequence > next_sequence then return {-1, next_sequence, done, backlog} end
if backlog > 0 and backlog + samples > int(ARGV[6]) then
  return {-2, next_sequence, done, backlog}
end
local at = now()
redis.call('XADD', AUDIO, sequence .. '-0', 'd', ARGV[4], 't', at, 'r', ARGV[5])
redis.call('HSET', META, 'next', sequence + 1, 'received', received + samples, 'carry', ARGV[5],
  'audio_ms', at, 'seen', at)
want_worker(at)
live(ARGV[7])
return {1, sequence + 1, done, backlog + samples}
