-- The Lua end of TestInteropChaos: the counterpart of the echo service in
-- chaos_test.go, named ".echo" and "@echo", and callers of another node's.
local skynet = require "skynet.manager"
local cluster = require "skynet.cluster"

local command = {}
local seen = {}
local complaint

local function pattern(id, size)
	return ("%016x"):format(id):rep(size // 16 + 1):sub(1, size)
end

local function complain(...)
	complaint = complaint or string.format(...)
end

local function take(id, text)
	if seen[id] or text ~= pattern(id, #text) then
		complain("request %d came wrong, or twice: %.40s", id, text)
	end
	seen[id] = true
end

function command.echo(id, text)
	take(id, text)
	return text
end

function command.note(id, text)
	take(id, text)
end

function command.seen(ids)
	assert(not complaint, complaint)
	local n = 0
	for _, id in ipairs(ids) do
		if seen[id] then
			n = n + 1
		end
	end
	return n
end

local count = { running = 0, answered = 0, failed = 0, pushed = 0 }
local stopped = false
local last = 0

local function size()
	local dice = math.random(100)
	if dice <= 85 then
		return math.random(0, 199)
	elseif dice <= 99 then
		return 0x8000 - math.random(-7, 40)
	end
	return 0x400 * math.random(100, 1024)
end

local function caller(node)
	local targets = { cluster.query(node, "echo"), "@echo", ".echo" }
	while not stopped do
		last = last + 1
		local id, target = last, targets[math.random(#targets)]
		local text = pattern(id, size())
		if math.random(8) == 1 then
			cluster.send(node, target, "note", id, text)
			count.pushed = count.pushed + 1
		else
			local ok, got = pcall(cluster.call, node, target, "echo", id, text)
			if not ok then
				count.failed = count.failed + 1
				skynet.sleep(math.random(5))
			elseif got ~= text then
				complain("request %d got the answer %.40s", id, got)
			else
				count.answered = count.answered + 1
			end
		end
	end
	count.running = count.running - 1
end

function command.start(node, callers)
	count.running = callers
	for _ = 1, callers do
		skynet.fork(caller, node)
	end
end

function command.stop()
	stopped = true
end

function command.count()
	assert(not complaint, complaint)
	return count.running, count.answered, count.failed, count.pushed
end

skynet.start(function()
	skynet.dispatch("lua", function(session, _, name, ...)
		if session == 0 then
			command[name](...)
		else
			skynet.retpack(command[name](...))
		end
	end)
	skynet.register ".echo"
	cluster.register("echo")
end)
