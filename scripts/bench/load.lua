-- Requests for wrk. Arguments: the operation, the key, a word that makes names unique, and the path, or ids with versions.
-- One connection a thread, so that a thread knows which answer is to which request.

local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local headers, operation, word, path
local ids, versions, turn, sent = {}, {}, 0, 0

function init(args)
  operation, word, path = args[1], args[3], args[4]
  headers = { ["Authorization"] = "Bearer " .. args[2], ["Content-Type"] = "application/json" }
  for index = 5, #args do
    -- A connection belongs to one thread: nobody else changes its version.
    if index % 8 == number % 8 then
      local id, version = args[index]:match("^(con_%w+):(%d+)$")
      ids[#ids + 1] = id
      versions[id] = tonumber(version)
    end
  end
end

local current
function request()
  sent = sent + 1
  if operation == "get" then return wrk.format("GET", path, headers) end
  if operation == "test" then return wrk.format("POST", path, headers, "{}") end
  if operation == "create" then
    local name = word .. " " .. number .. " " .. sent
    local body = '{"environment":"development","provider":"http","connection_type":"bearer","name":"' .. name
      .. '","tags":["bench"],"settings":{"base_url":"https://api.example.com/v2","test_path":"/me"},"secrets":{"token":"token-of-'
      .. name:gsub(" ", "-") .. '"}}'
    return wrk.format("POST", path, headers, body)
  end
  turn = turn % #ids + 1
  current = ids[turn]
  if operation == "resolve" then return wrk.format("GET", "/v1/connections/" .. current .. "/credentials", headers) end
  headers["If-Match"] = '"' .. string.format("%d", versions[current]) .. '"'
  local body = '{"secrets":{"token":"token-of-' .. word .. "-" .. number .. "-" .. sent .. '"}}'
  return wrk.format("PATCH", "/v1/connections/" .. current .. "?test=false", headers, body)
end

function response(status)
  if operation == "update" and status == 200 then versions[current] = versions[current] + 1 end
end

function done(summary, latency)
  io.write(string.format('{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
