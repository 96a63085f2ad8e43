-- Counts a request unless the window is full: {whether, left, microseconds until the oldest one leaves, when}.
local counted = redis.call('LLEN', key)
if counted >= most then
  return {0, 0, (oldest or now) + window - now, now}
end
redis.call('RPUSH', key, text(now))
-- A second more than needed: the expiry counts from the beginning of the script, in milliseconds.
redis.call('PEXPIRE', key, text(math.ceil(window / 1000) + 1000))
return {1, most - counted - 1, (oldest or now) + window - now, now}
