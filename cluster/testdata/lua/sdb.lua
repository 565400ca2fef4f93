-- The service that the tests call: the counterpart of sdb in helper_test.go.
local skynet = require "skynet"
local cluster = require "skynet.cluster"
local crypt = require "skynet.crypt"

local command = {}
local notes = {}
local held = {}

function command.echo(...)
	return ...
end

function command.digest(text)
	return #text, crypt.hexencode(crypt.sha1(text))
end

function command.note(...)
	for _, v in ipairs { ... } do
		table.insert(notes, v)
	end
	return #notes
end

function command.notes()
	return table.unpack(notes)
end

function command.takenotes()
	local all = notes
	notes = {}
	return table.unpack(all)
end

function command.number(n)
	return n
end

function command.fail(text)
	error(text)
end

function command.held()
	return #held
end

function command.release()
	for _, response in ipairs(held) do
		response(true, "released")
	end
	held = {}
end

-- describeOne shows what Lua sees: types, with the kind of number, and every byte.
local function describeOne(v)
	local kind = math.type(v) or type(v)
	if kind == "integer" then
		return ("%d"):format(v)
	elseif kind == "float" then
		return v ~= v and "float nan" or ("float %.17g"):format(v)
	elseif kind == "string" then
		local shown = v:gsub('[%c\127-\255"\\]', function(b) return ("\\x%02x"):format(b:byte()) end)
		return ('"%s"'):format(shown)
	elseif kind ~= "table" then
		return tostring(v)
	end
	local elements, fields = {}, {}
	while v[#elements + 1] ~= nil do -- not #v: where there are holes it may be any of several
		table.insert(elements, describeOne(v[#elements + 1]))
	end
	local n = #elements
	for k, x in pairs(v) do
		if not (math.type(k) == "integer" and k >= 1 and k <= n) then
			table.insert(fields, ("[%s]=%s"):format(describeOne(k), describeOne(x)))
		end
	end
	table.sort(fields)
	table.move(fields, 1, #fields, n + 1, elements)
	return ("{%s}"):format(table.concat(elements, ", "))
end

function command.describe(...)
	local args = table.pack(...)
	for i = 1, args.n do
		args[i] = describeOne(args[i])
	end
	return table.concat(args, ", ")
end

-- value is whatever Lua makes of an expression.
function command.value(expression)
	return assert(load("return " .. expression))()
end

-- through sends that to the sdb of another node and describes it before, and as
-- it came back.
function command.through(node, expression)
	local before = table.pack(command.value(expression))
	return command.describe(table.unpack(before, 1, before.n)),
		command.describe(cluster.call(node, "@sdb", "echo", table.unpack(before, 1, before.n)))
end

-- These answer later, with an error, or not at all.
local special = {
	hold = function() table.insert(held, skynet.response()) end,
	refuse = function() skynet.response()(false) end,
	quit = skynet.exit,
}

skynet.start(function()
	skynet.dispatch("lua", function(_, _, name, ...)
		if special[name] then
			special[name](...)
		else
			skynet.retpack(command[name](...))
		end
	end)
end)
