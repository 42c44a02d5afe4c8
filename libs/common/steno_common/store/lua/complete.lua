-- ARGV sid completed retention_ms  ->  1 completed, 0 it was, or is gone
local status = get('status')
if not status or get('finished') then return 0 end
if status ~= 'error' then record_status('completed') end
-- Only translations come after it.
redis.call('HSET', META, 'finished', record(ARGV[2]))
ring()
redis.call('DEL', AUDIO)
redis.call('HDEL', META, 'carry', 'carried', 'context')
stay(ARGV[3])
forget()
return 1
