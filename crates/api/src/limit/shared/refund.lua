-- Takes back the request that was counted at ARGV[3], if it is there: {1, left, microseconds until the oldest one leaves, when}.
redis.call('LREM', key, -1, ARGV[3])
oldest = at(0)
return {1, most - redis.call('LLEN', key), (oldest or now) + window - now, now}
