-- The start service of a Skynet in the benchmarks. It reads what to do from
-- standard input, a line each, and answers with a line; it ends with the input.
local skynet = require "skynet.manager"
local cluster = require "skynet.cluster"
local socket = require "skynet.socket"

local BURST <const> = 10000
local CLUSTER_BURST <const> = 50000
local SENDERS <const> = 100
local SMALL <const> = ("x"):rep(16)
local MEDIUM <const> = ("x"):rep(32 * 1024)
local LARGE <const> = ("x"):rep(1024 * 1024)

local function answer(...)
	io.stdout:write(skynet.getenv "mark", table.concat({ ... }, " "), "\n")
	io.stdout:flush()
end

-- together runs f k times at once and waits until all have returned.
local function together(k, f)
	local left, co = k, coroutine.running()
	for i = 1, k do
		skynet.fork(function()
			f(i)
			left = left - 1
			if left == 0 then
				skynet.wakeup(co)
			end
		end)
	end
	skynet.wait(co)
end

-- timed returns what the answer to a question begins with.
local function timed(ops, f)
	local begin = skynet.hpc()
	f()
	return ops, skynet.hpc() - begin
end

local function upto(ops, step)
	return math.ceil(ops / step) * step
end

-- laps calls f ops times and tells how long one call takes.
local function laps(ops, f)
	local times = {}
	local n, ns = timed(ops, function()
		for i = 1, ops do
			local begin = skynet.hpc()
			f()
			times[i] = skynet.hpc() - begin
		end
	end)
	table.sort(times)
	local function at(part)
		return times[1 + (ops - 1) * part // 100] / 1000
	end
	return n, ns, "p50", "us", at(50), "p99", "us", at(99)
end

-- services starts k of one name, once.
local started = {}
local function services(name, k)
	started[name] = started[name] or {}
	for i = #started[name] + 1, k do
		started[name][i] = skynet.newservice(name)
	end
	return table.unpack(started[name], 1, k)
end

local function memory()
	local pages = io.open("/proc/self/statm"):read "a":match "^%d+ (%d+)"
	return tonumber(pages) * 4096
end

local function calls(callers, coroutines, peers)
	return function(ops)
		local to = { services("peer", peers) }
		local from = { services("caller", callers) }
		local each = ops // (callers * coroutines) + 1
		return timed(each * callers * coroutines, function()
			together(callers, function(i)
				skynet.call(from[i], "lua", "calls", coroutines, each, to)
			end)
		end)
	end
end

local function repeated(f)
	return function(ops)
		return timed(ops, function()
			for _ = 1, ops do
				f()
			end
		end)
	end
end

-- remote is callers coroutines that call the other node.
local function remote(callers, command, payload)
	return function(ops)
		local each = ops // callers + 1
		return timed(each * callers, function()
			together(callers, function()
				for _ = 1, each do
					cluster.call("peer", "@remote", command, payload)
				end
			end)
		end)
	end
end

local rows = {
	local_call = calls(1, 1, 1),
	local_call_100 = calls(1, 100, 1),
	local_call_10x10 = calls(10, 10, 10),
	cluster_call_100 = remote(100, "ECHO", SMALL),
	cluster_32k = remote(100, "ECHO", MEDIUM),
	cluster_1m = remote(16, "ECHO", LARGE),
	cluster_oneway = remote(8, "SINK", LARGE),
}

function rows.local_send(ops)
	local peer = services("peer", 1)
	ops = upto(ops, BURST)
	return timed(ops, function()
		for i = 1, ops do
			skynet.send(peer, "lua", "COUNT", i)
			if i % BURST == 0 then
				skynet.call(peer, "lua", "ADD", i)
			end
		end
	end)
end

function rows.fanin(ops)
	local peer = services("peer", 1)
	local senders = { services("caller", SENDERS) }
	local each = math.min(ops // SENDERS + 1, BURST)
	ops = upto(ops, each * SENDERS)
	return timed(ops, function()
		for _ = 1, ops, each * SENDERS do
			together(SENDERS, function(i)
				skynet.call(senders[i], "lua", "sends", each, peer)
			end)
			skynet.call(peer, "lua", "ADD", 1)
		end
	end)
end

function rows.newservice(ops)
	local list, before = {}, memory()
	local n, ns = timed(ops, function()
		for i = 1, ops do
			list[i] = skynet.newservice "peer"
		end
	end)
	local used = (memory() - before) / ops
	for _, address in ipairs(list) do
		skynet.kill(address)
	end
	if used <= 0 then -- taken from what services of the round before have left
		return n, ns
	end
	return n, ns, "memory", "bytes", used
end

rows.uniqueservice = repeated(function() skynet.uniqueservice "peer" end)

function rows.localname(ops)
	if not skynet.localname ".peer" then
		skynet.name(".peer", services("peer", 1))
	end
	return repeated(function() skynet.localname ".peer" end)(ops)
end

rows.pack_unpack = repeated(function()
	local msg, size = skynet.pack("set", 1, "key")
	skynet.unpack(msg, size)
	skynet.trash(msg, size)
end)

local list = {}
for i = 0, 99 do
	table.insert(list, { id = i, name = "player" .. i, score = i + 0.5 })
end
local packed = skynet.packstring(list)

rows.rows_encode = repeated(function() skynet.trash(skynet.pack(list)) end)
rows.rows_decode = repeated(function() skynet.unpack(packed) end)

function rows.cluster_call(ops)
	return laps(ops, function() cluster.call("peer", "@remote", "ECHO", SMALL) end)
end

function rows.cluster_send(ops)
	ops = upto(ops, CLUSTER_BURST)
	return timed(ops, function()
		for i = 1, ops do
			cluster.send("peer", "@remote", "SINK", SMALL)
			if i % CLUSTER_BURST == 0 then
				cluster.call("peer", "@remote", "ECHO", SMALL)
			end
		end
	end)
end

function rows.fair_call(ops)
	local peer, busy = services("peer", 1), skynet.newservice "peer"
	skynet.send(busy, "lua", "SPIN")
	local result = { laps(ops, function() skynet.call(peer, "lua", "ADD", 1) end) }
	skynet.kill(busy)
	return table.unpack(result)
end

local question = {}

function question.run(name, ops, address)
	if address then
		cluster.reload { peer = address }
	end
	answer(rows[name](tonumber(ops)))
end

function question.usage()
	answer(0, ("%.0f"):format(os.clock() * 1e9))
end

local modes = {}

function modes.client()
	return "ready"
end

function modes.cluster()
	cluster.register("remote", services("peer", 1))
	local host, port = skynet.call(skynet.uniqueservice "clusterd", "lua", "listen", "127.0.0.1", 0)
	return host .. ":" .. port
end

function modes.gate()
	return skynet.call(services("watchdog", 1), "lua", "open")
end

skynet.start(function()
	answer(modes[skynet.getenv "mode"]())
	skynet.fork(function()
		local input = socket.stdin()
		while true do
			local line = socket.readline(input)
			if not line then
				break
			end
			local words = {}
			for word in line:gmatch "%S+" do
				table.insert(words, word)
			end
			question[words[1]](table.unpack(words, 2))
		end
		skynet.abort()
	end)
end)
