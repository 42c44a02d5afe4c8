-- A new connection takes the session over: whoever held it before is refused from now on.
-- ARGV sid idle_ms abandon_ms
-- ->  nil no such session, else {conn, connections so far, fields of the session ...} in the order of
--     the HMGET below
if redis.call('EXISTS', META) == 0 then return false end
local at = now()
local conn = redis.call('HINCRBY', META, 'conn', 1)
local connections = redis.call('HINCRBY', META, 'connections', 1)
local status = get('status')
if status == 'connecting' then
  record_status('connected')
  ring()
elseif status == 'reconnecting' then
  record_status(get('before') or 'connected')
  ring()
end
if status ~= 'completed' and redis.call('ZSCORE', SESSIONS, SID) then
  redis.call('HSET', META, 'seen', at)
  redis.call('ZADD', SESSIONS, at + ARGV[3], SID)
  live(ARGV[2])
end
local fields = redis.call('HMGET', META, 'config', 'status', 'epoch', 'next', 'done', 'event',
  'received', 'border', 'carry', 'finished')
table.insert(fields, 1, connections)
table.insert(fields, 1, conn)
return fields
