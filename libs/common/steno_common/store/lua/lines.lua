-- A session that only certain engines may take stands in a line for each of them. Its score in a line
-- is the time from which on a worker of that engine may claim it. So what a worker may take is one
-- range of one line, however many sessions wait that it may not take.
-- Who waits is in WAITING, or in LINED if it has a policy: `grace_ms engine=rests_until_ms ...`, in
-- the order of choice.
local WAITING, LINED, POLICIES

local function policy_of(sid) return redis.call('HGET', POLICIES, sid) end

local function line_of(engine) return (string.gsub(POLICIES, 'policies$', 'line:')) .. engine end

-- The engine that it was with goes first, then one choice after the other; who rests, goes later.
-- Says whether it did not wait before. META: nil if the engine that it was with is gone.
local function join_lines(sid, since, META)
  local policy = policy_of(sid)
  if not policy then return redis.call('ZADD', WAITING, 'NX', since, sid) == 1 end
  if redis.call('ZADD', LINED, 'NX', since, sid) == 0 then return false end
  local before = META and redis.call('HGET', META, 'engine')
  local at, grace, turn, order = now(), int(string.match(policy, '^%d+')), 0, {}
  for engine, rests in string.gmatch(policy, '(%S+)=(%d+)') do
    table.insert(order, engine == before and 1 or #order + 1, {engine, int(rests)})
  end
  for _, choice in ipairs(order) do
    local from = choice[2]
    if from <= at then
      from = turn == 0 and since or at + turn * grace
      turn = turn + 1
    end
    redis.call('ZADD', line_of(choice[1]), from, sid)
  end
  return true
end

local function leave_lines(sid)
  redis.call('ZREM', WAITING, sid)
  local policy = policy_of(sid)
  if not policy then return end
  redis.call('ZREM', LINED, sid)
  for engine in string.gmatch(policy, '(%S+)=') do redis.call('ZREM', line_of(engine), sid) end
end

-- An engine failed for this session: others have their turn.
local function rest(sid, resting, until_ms)
  local policy = policy_of(sid)
  if not policy then return end
  redis.call('HSET', POLICIES, sid, (string.gsub(policy, '(%S+)=%d+', function(engine)
    if engine == resting then return engine .. '=' .. until_ms end
  end)))
end
