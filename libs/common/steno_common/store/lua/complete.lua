-- ARGV sid completed retention_ms  ->  1 completed, 0 it was, or is gone
local status = get('status')
if not status or get('finished') then return 0 end
redis.call('HSET', META, 'finished', 1)
if status ~= 'error' then record_status('completed') end
record(ARGV[2])
ring()
redis.call('DEL', AUDIO)
redis.call('HDEL', META, 'carry', 'carried', 'context')
stay(ARGV[3])
forget()
return 1
