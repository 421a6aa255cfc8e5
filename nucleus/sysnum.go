package nucleus

// Numbers of the Linux system calls on x86-64 that are served (syscalls(2)).
const (
	callRead             = 0
	callWrite            = 1
	callClose            = 3
	callFstat            = 5
	callMmap             = 9
	callMprotect         = 10
	callMunmap           = 11
	callRtSigaction      = 13
	callRtSigprocmask    = 14
	callRtSigreturn      = 15
	callSchedYield       = 24
	callMadvise          = 28
	callNanosleep        = 35
	callGetpid           = 39
	callClone            = 56
	callExit             = 60
	callFcntl            = 72
	callSigaltstack      = 131
	callPrctl            = 157
	callArchPrctl        = 158
	callGettid           = 186
	callFutex            = 202
	callSchedGetaffinity = 204
	callClockGettime     = 228
	callExitGroup        = 231
	callEpollCtl         = 233
	callTgkill           = 234
	callOpenat           = 257
	callNewfstatat       = 262
	callReadlinkat       = 267
	callEpollPwait       = 281
	callEventfd2         = 290
	callEpollCreate1     = 291
	callPrlimit64        = 302
	callGetrandom        = 318
)
