-- The service that the tests call: the counterpart of sdb in helper_test.go.
local skynet = require "skynet"
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

-- value is whatever Lua makes of an expression.
function command.value(expression)
	return assert(load("return " .. expression))()
end

-- describe shows what Lua sees: types, with the kind of number, and every byte.
local function describe(v)
	local kind = math.type(v) or type(v)
	if kind == "integer" then
		return ("%d"):format(v)
	elseif kind == "float" then
		return v ~= v and "float nan" or ("float %.17g"):format(v)
	elseif kind == "string" then
		local shown = v:gsub("[^ !#-%[%]-~]", function(b) return ("\\x%02x"):format(b:byte()) end)
		return ('"%s"'):format(shown)
	elseif kind ~= "table" then
		return tostring(v)
	end
	local pairs_ = {}
	for k, x in pairs(v) do
		table.insert(pairs_, ("[%s]=%s"):format(describe(k), describe(x)))
	end
	table.sort(pairs_)
	return ("#%d{%s}"):format(#v, table.concat(pairs_, " "))
end

function command.describe(...)
	local args = table.pack(...)
	for i = 1, args.n do
		args[i] = describe(args[i])
	end
	return table.concat(args, ", ")
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
