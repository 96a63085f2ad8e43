-- What every script begins with: the log without what has left the window. All times are microseconds of this server.
local key, most, window = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Lua would write it in exponents.
local function text(number)
  return string.format('%.0f', number)
end

local function at(index)
  return tonumber(redis.call('LINDEX', key, index))
end

-- The clock was set back. What was counted before now ends a window after now at the latest.
local index = -1
local ahead = at(index)
while ahead and ahead > now do
  redis.call('LSET', key, index, text(now))
  index = index - 1
  ahead = at(index)
end

local oldest = at(0)
while oldest and oldest + window <= now do
  redis.call('LPOP', key)
  oldest = at(0)
end
