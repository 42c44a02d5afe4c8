-- ARGV sid idle_ms abandoned ('1': only if it counts as abandoned, or has expired)
-- ->  1 removed, 0 was not there, or is not abandoned
local abandoned = ARGV[3] == '1'
if abandoned and redis.call('EXISTS', META) == 1 then
  local until_ms = redis.call('ZSCORE', SESSIONS, SID)
  if not until_ms or int(until_ms) > now() then return 0 end
end
for _, place in ipairs(places()) do redis.call('ZREM', OUTGOING, place) end
local there = redis.call('UNLINK', META, AUDIO, LOG)
-- Who has it removed does not want it restored.
if not abandoned then redis.call('SET', REMOVED, 1, 'PX', ARGV[2]) end
forget()
ring()
if there == 0 then return 0 end
return 1
