-- What a client must keep, so that the session can go on if Redis loses all of it: where it stands,
-- with the events that the client does not have yet.
-- ARGV sid conn have most (events in one answer)
-- ->  {1, {fields in the order of the HMGET below}, {payloads of the events behind `have`}}
--     | {0 nothing: the end is committed, too much is new, or the client has more than there is}
--     | {-4 superseded} | {-5 missing}
local fields = redis.call('HMGET', META, 'config', 'conn', 'connections', 'event', 'commits',
  'consumed', 'done', 'offset', 'border', 'context', 'heard', 'transcribed', 'silence', 'lat_sum',
  'lat_n', 'carried')
local ended = redis.call('HMGET', META, 'ended', 'mseq', 'mn')
if not fields[1] then return {-5} end
if fields[2] ~= ARGV[2] then return {-4} end
local news = int(fields[4]) - int(ARGV[3])
if news < 0 or news > int(ARGV[4]) then return {0} end
if ended[1] and fields[6] == ended[2] .. '-' .. ended[3] then return {0} end
local payloads = {}
if news > 0 then
  for i, entry in ipairs(redis.call('XRANGE', LOG, (ARGV[3] + 1) .. '-0', '+')) do
    payloads[i] = field(entry[2], 'p')
  end
end
return {1, fields, payloads}
