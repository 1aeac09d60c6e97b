-- One request after another, taken from a file of "METHOD PATH TOKEN BODY" lines (tab-separated), from a random place on.
local requests = {}
local place = 0
local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   for line in io.lines(args[1]) do
      local method, path, token, body = line:match("^(%S+)\t(%S+)\t(%S+)\t(.*)$")
      local headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
      if body == "" then body = nil end
      table.insert(requests, wrk.format(method, path, headers, body))
   end
   math.randomseed(os.time())
   place = args[2] == "once" and 0 or math.random(#requests)
   bad = 0
   sample = ""
end

function request()
   place = place % #requests + 1
   return requests[place]
end

function response(status, headers, body)
   if status >= 400 then
      bad = bad + 1
      if sample == "" then sample = status .. " " .. body:sub(1, 300) end
   end
end

function done(summary, latency, requests)
   local bad = 0
   local sample = ""
   for _, thread in ipairs(threads) do
      bad = bad + thread:get("bad")
      if sample == "" then sample = thread:get("sample") end
   end
   io.write(string.format("RESULT\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n",
      summary.requests, summary.duration, bad,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
      latency:percentile(50), latency:percentile(95), latency:percentile(99), sample:gsub("%s", " ")))
end
