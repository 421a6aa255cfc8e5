package nucleusrules

import "strings"

// Rule is what nucleus code must not do, in a few words.
type Rule string

// The rules.
const (
	RuleWriteBarrier Rule = "write barrier"
	RuleAllocation   Rule = "allocation"
	RuleMap          Rule = "map"
	RuleInterface    Rule = "interface conversion"
	RuleDefer        Rule = "defer"
	RuleBlocking     Rule = "sync, channel or goroutine"
	RuleBulk         Rule = "bulk memory operation of the runtime, which may use VEX instructions"
	RulePanic        Rule = "panic of its own"
	RuleRuntime      Rule = "call of the runtime"
	RuleVEX          Rule = "VEX instruction"
	RuleExtended     Rule = "x87, MMX or XSAVE instruction"
	RuleIndirect     Rule = "indirect call whose targets are not known"
	RuleRecursion    Rule = "recursion"
	RuleStack        Rule = "stack too deep"
	RuleCode         Rule = "code that cannot be followed"
)

// relaxed are the rules that do not hold before the first guest and before the
// Go runtime: there is no vector state to keep.
var relaxed = map[Rule]bool{RuleBulk: true, RuleVEX: true, RuleExtended: true}

// named says what a call of a function of the standard library breaks.
type named struct {
	prefix string
	rule   Rule // "" if it breaks none
}

// names decide by the first prefix that fits. Functions that no prefix fits
// are walked as if they were the project's own.
var names = []named{
	{"runtime.panicdottype", RuleInterface}, {"runtime.panicnildottype", RuleInterface},
	// What ends the machine: a check of the compiler, or the end of the stack.
	{"runtime.panic", ""}, {"runtime.morestack", ""},

	{"runtime.gcWriteBarrier", RuleWriteBarrier}, {"gcWriteBarrier", RuleWriteBarrier},
	{"runtime.wbZero", RuleWriteBarrier}, {"runtime.wbMove", RuleWriteBarrier},
	{"runtime.typedmem", RuleWriteBarrier}, {"runtime.typedslicecopy", RuleWriteBarrier},

	{"runtime.newobject", RuleAllocation}, {"runtime.newarray", RuleAllocation},
	{"runtime.mallocgc", RuleAllocation}, {"runtime.makeslice", RuleAllocation},
	{"runtime.growslice", RuleAllocation}, {"runtime.concatstring", RuleAllocation},
	{"runtime.slicebytetostring", RuleAllocation}, {"runtime.stringtoslice", RuleAllocation},
	{"runtime.rawbyteslice", RuleAllocation}, {"runtime.rawstring", RuleAllocation},
	{"runtime.intstring", RuleAllocation},

	{"runtime.map", RuleMap}, {"runtime.makemap", RuleMap}, {"internal/runtime/maps.", RuleMap},

	{"runtime.conv", RuleInterface}, {"runtime.assertE2I", RuleInterface},
	{"runtime.typeAssert", RuleInterface}, {"runtime.interfaceSwitch", RuleInterface},
	{"runtime.ifaceeq", RuleInterface}, {"runtime.efaceeq", RuleInterface},
	{"runtime.getitab", RuleInterface},

	{"runtime.defer", RuleDefer}, {"runtime.gorecover", RuleDefer},

	{"runtime.chan", RuleBlocking}, {"runtime.closechan", RuleBlocking}, {"runtime.makechan", RuleBlocking},
	{"runtime.select", RuleBlocking}, {"runtime.block", RuleBlocking}, {"runtime.newproc", RuleBlocking},
	{"runtime.lock", RuleBlocking}, {"runtime.unlock", RuleBlocking}, {"runtime.sema", RuleBlocking},
	{"runtime.Gosched", RuleBlocking}, {"sync.", RuleBlocking}, {"internal/sync.", RuleBlocking},
	{"runtime.entersyscall", RuleBlocking}, {"runtime.exitsyscall", RuleBlocking},

	{"runtime.memmove", RuleBulk}, {"runtime.memclr", RuleBulk}, {"runtime.memequal", RuleBulk},
	{"memeqbody", RuleBulk}, {"runtime.cmpstring", RuleBulk}, {"runtime.memhash", RuleBulk},

	{"runtime.gopanic", RulePanic}, {"runtime.throw", RulePanic}, {"runtime.fatal", RulePanic},

	// Single instructions, or loops of them.
	{"internal/runtime/atomic.", ""},

	{"runtime.", RuleRuntime}, {"internal/runtime/", RuleRuntime}, {"internal/abi.", RuleRuntime},
	{"reflect.", RuleRuntime},
}

// judge tells what a function of that name breaks, and whether it is a leaf
// of the walk. Names of the standard library in assembly end in ".abi0".
func judge(name string) (rule Rule, leaf bool) {
	for _, n := range names {
		if strings.HasPrefix(name, n.prefix) {
			return n.rule, true
		}
	}
	return "", false
}

// isCheck tells whether a function is where a failed check of the compiler
// ends: an index, a length, a division, a shift.
func isCheck(name string) bool {
	rule, _ := judge(name)
	return rule == "" && strings.HasPrefix(name, "runtime.panic")
}

// neverReturns tells whether the code behind a call of the function is not
// reached from there. The compiler puts the retry of the prologue behind the
// call of morestack, and anything behind a panic.
func neverReturns(name string) bool {
	for _, p := range [...]string{"runtime.panic", "runtime.morestack", "runtime.gopanic"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
