-- wrk -s post.lua URL -- BODY_FILE: posts the file's bytes; HEADERS has a header a line, `name: value`.
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Accept"] = "application/json"
  for name, value in os.getenv("HEADERS"):gmatch("([^:\n]+): ([^\n]+)") do
    wrk.headers[name] = value
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %.3f %.3f %d\n",
    summary.requests, summary.duration, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
