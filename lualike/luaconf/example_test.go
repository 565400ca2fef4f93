package luaconf_test

import (
	"fmt"

	"github.com/skynetgo/skynet/lualike/luaconf"
)

func ExampleLoadString() {
	c, err := luaconf.LoadString("config", `
root = "./"
luaservice = root .. "service/?.lua;" .. root .. "test/?.lua"
thread = 8
`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for key, value := range c.All() {
		_, line := c.Where(key)
		fmt.Println(line, key, value)
	}
	// Output:
	// 3 luaservice ./service/?.lua;./test/?.lua
	// 2 root ./
	// 4 thread 8
}

func ExampleLoadTable() {
	table, err := luaconf.LoadTable("clustername.lua", `
__nowaiting = true
db = "127.0.0.1:2528"
db2 = 2529
`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for name, value := range table.All() {
		switch value := value.(type) {
		case string, bool:
			fmt.Println(name, value)
		default:
			fmt.Println(table.Errorf(name, "number is neither false nor a string"))
		}
	}
	// Output:
	// __nowaiting true
	// db 127.0.0.1:2528
	// clustername.lua:4: db2: number is neither false nor a string
}

func ExampleOptions() {
	o := luaconf.Options{Getenv: func(name string) (string, bool) { return "db1", name == "NODE" }}
	c, err := o.LoadString("config", `nodename = "$NODE"`)
	fmt.Println(c.Get("nodename"))
	fmt.Println(err)
	_, err = o.LoadString("config", `nodename = "$NO_SUCH"`)
	fmt.Println(err)
	// Output:
	// db1 true
	// <nil>
	// config:1: os.getenv() failed: NO_SUCH
}
