package lualike_test

import (
	"fmt"

	"github.com/skynetgo/skynet/lualike"
)

func ExamplePack() {
	type hero struct {
		Name string   `lua:"name"`
		HP   int      `lua:"hp"`
		Bag  []string `lua:"bag,omitempty"`
	}
	data, err := lualike.Pack("login", hero{Name: "anna", HP: 90})
	if err != nil {
		fmt.Println(err)
		return
	}
	args, err := lualike.Unpack(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(args[0], args[1])
	_, err = lualike.Pack("login", map[string]any{"done": []any{1, func() {}}})
	fmt.Println(err)
	// Output:
	// login {name = "anna", hp = 90}
	// argument 2: .done[2]: func() cannot be packed
}

func ExampleDecodeAs() {
	data, err := lualike.Pack("move", []float64{1.5, 2}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	d := lualike.NewDecoder(data)
	cmd, err := lualike.DecodeAs[string](d)
	fmt.Println(cmd, err)
	pos, err := lualike.DecodeAs[[2]float32](d)
	fmt.Println(pos, err)
	speed, err := lualike.DecodeAs[*int](d)
	fmt.Println(speed, err)
	// Output:
	// move <nil>
	// [1.5 2] <nil>
	// <nil> <nil>
}

func ExampleAs() {
	type point struct{ X, Y int }
	p, err := lualike.As[point](lualike.Map(map[string]any{"X": 1, "Y": 2.0}))
	fmt.Println(p, err)
	_, err = lualike.As[point](lualike.Map(map[string]any{"X": "1"}))
	fmt.Println(err)
	// Output:
	// {1 2} <nil>
	// .X: string is not an integer
}

func ExampleTable() {
	t := lualike.Array("a", "b")
	t.Append("c")
	if err := t.Set("n", 3); err != nil {
		fmt.Println(err)
	}
	if err := t.Set(2.0, nil); err != nil {
		fmt.Println(err)
	}
	for k, v := range t.All() {
		fmt.Println(k, v)
	}
	fmt.Println(t, t.Len())
	// Output:
	// 1 a
	// 3 c
	// n 3
	// {"a", [3] = "c", n = 3} 3
}

func ExampleArgs() {
	args := lualike.Args{"set", int64(1)}
	key, err := args.Int(1)
	fmt.Println(key, err)
	_, err = args.Str(1)
	fmt.Println(err)
	// Output:
	// 1 <nil>
	// argument 2: integer is not a string
}
