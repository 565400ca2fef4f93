package debugconsole

// For the tests, which need a node and so can not be of this package.
var (
	DefinitionWith = definition
	ParseValues    = parseValues
	AgoText        = agoText
	SizeText       = sizeText
	LuaFloat       = luaFloat
	NewSums        = newSums[string]
)

// Sums and Pair are the sums of counters that come and go.
type (
	Sums = sums[string]
	Pair = pair64
)

// Add and Done are its methods.
func (s *sums[K]) Add(name string, key K, is Pair) { s.add(name, key, is) }

// Done ends a round.
func (s *sums[K]) Done() map[string]Pair { return s.done() }

// TailLines is how many lines of the log are kept.
const TailLines = tailLines
