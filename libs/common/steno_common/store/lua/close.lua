-- Closes the open window up to a final; repeated or late calls find another `wfrom`, and do nothing.
-- ARGV sid wfrom ('' none) new_wfrom ('' none) seen_event utterances...  ->  1 closed, 0 not
if (get('wfrom') or '') ~= ARGV[2] then return 0 end
local seen = get('event') == ARGV[4]
if #ARGV == 4 then
  -- What was committed after the caller read the log keeps the session due.
  if seen then redis.call('ZREM', DUE, SID) end
  return 1
end
-- A final committed after the caller read the log belongs to a window that must stay open.
if ARGV[3] == '' and not seen then return 0 end
for i = 5, #ARGV do record(ARGV[i]) end
redis.call('HINCRBY', META, 'utterances', #ARGV - 4)
if ARGV[3] == '' then redis.call('HDEL', META, 'wfrom') else redis.call('HSET', META, 'wfrom', ARGV[3]) end
ring()
-- Still due: only a look that finds nothing to close says that there is nothing to do.
return 1
