-- Every session script gets the same keys in the same order, and the session's id first.
local META, AUDIO, LOG, _, LEASES, FENCES, TRIES, DUE, SESSIONS, EVENTS, REMOVED = unpack(KEYS)
WAITING, LINED, POLICIES = KEYS[4], KEYS[12], KEYS[13]
local OUTGOING = KEYS[14]
local SID = ARGV[1]

local function get(field) return redis.call('HGET', META, field) end

-- What is to be delivered stays for as long as notifiers may be away.
local function stay(ms)
  local longest = math.max(int(ms), int(get('keep')))
  redis.call('PEXPIRE', META, longest)
  redis.call('PEXPIRE', LOG, longest)
end

local function live(idle_ms)
  stay(idle_ms)
  redis.call('PEXPIRE', AUDIO, idle_ms)
end

local function record(payload)
  local number = redis.call('HINCRBY', META, 'event', 1)
  redis.call('XADD', LOG, number .. '-0', 'p', payload, 't', now())
  return number
end

local function record_status(status)
  redis.call('HSET', META, 'status', status)
  return record(cmsgpack.pack({type = 'status.v1', status = status}))
end

-- Places of the session's destinations in the index of what is to be delivered.
local function places()
  local found = {}
  for name in string.gmatch(get('deliver') or '', '[^,]+') do found[#found + 1] = SID .. '|' .. name end
  return found
end

-- There is news. A doorbell carries no payload that matters: who hears it reads the log by number;
-- where the session is to be delivered, that is due as long as its cursor is behind.
local function ring()
  redis.call('XADD', EVENTS, 'MAXLEN', '~', 10000, '*', 's', SID)
  local at = now()
  for _, place in ipairs(places()) do redis.call('ZADD', OUTGOING, 'NX', at, place) end
end

-- Its client's socket took all through this event; a call that comes late takes nothing back.
local function hand(number)
  if int(number) > int(get('handed')) then redis.call('HSET', META, 'handed', number) end
end

local function want_worker(at)
  if not redis.call('ZSCORE', LEASES, SID) and join_lines(SID, at, META) then
    redis.call('PUBLISH', 'steno:wake', SID)
  end
end

local function forget()
  leave_lines(SID)
  for _, index in ipairs({LEASES, DUE, SESSIONS}) do redis.call('ZREM', index, SID) end
  for _, kept in ipairs({FENCES, TRIES, POLICIES}) do redis.call('HDEL', kept, SID) end
end
