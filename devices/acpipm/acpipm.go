package acpipm

import (
	"math/bits"
	"sync"
	"time"

	"ringo/devices"
)

// TimerFrequency is the PM timer's rate in Hz.
const TimerFrequency = 3579545

// Size is the size of the register window in bytes.
const Size = 16

// Registers, by offset into the window.
const (
	regStatus  = 0 // PM1_STS, 16 bits
	regEnable  = 2 // PM1_EN, 16 bits
	regControl = 4 // PM1_CNT, 16 bits
	regTimer   = 8 // PM_TMR, 32 bits
)

// Bits of PM1_STS and PM1_EN.
const (
	bitTimer       = 1 << 0
	bitGlobal      = 1 << 5
	bitPowerButton = 1 << 8
	bitSleepButton = 1 << 9
	bitRTC         = 1 << 10
	bitWake        = 1 << 15 // status only
	statusMask     = bitTimer | bitGlobal | bitPowerButton | bitSleepButton | bitRTC | bitWake
	enableMask     = statusMask &^ bitWake
)

// Bits of PM1_CNT.
const (
	controlSCI      = 1 << 0 // SCI_EN, always set
	controlBMRld    = 1 << 1
	sleepTypeShift  = 10
	controlSlpType  = 7 << sleepTypeShift
	controlSlpEn    = 1 << 13 // write-only
	controlWritable = controlBMRld | controlSlpType
)

// Config says what the device is wired to.
type Config struct {
	Clock      devices.Clock
	SCI        devices.Line // level-triggered
	TimerBits  uint8        // 24, or 32 for any other value
	S5         uint8        // SLP_TYP of soft-off, as the DSDT has it
	OnPowerOff func()       // the guest turned itself off; runs without a lock
	OnReset    func()       // the guest asked for a reset; runs without a lock
}

// PM is the device.
type PM struct {
	devices.Passive
	cfg   Config
	timer devices.Timer
	sci   devices.Output

	mu       sync.Mutex
	status   uint16
	enable   uint16
	control  uint16
	resetReg uint8
	halves   uint64 // half periods of the PM timer that status knows of
}

// New makes the device with nothing enabled.
func New(cfg Config) *PM {
	if cfg.TimerBits != 24 {
		cfg.TimerBits = 32
	}
	p := &PM{cfg: cfg, sci: devices.NewOutput(cfg.SCI)}
	p.timer = cfg.Clock.NewTimer(p.due)
	p.Reset()
	return p
}

// Name is "acpipm".
func (p *PM) Name() string { return "acpipm" }

// Reset clears the registers; the timer counts on.
func (p *PM) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.enable, p.control, p.resetReg = 0, 0, controlSCI, 0
	p.halves = p.ticks() / p.half()
	p.update()
}

// Close stops the timer for good.
func (p *PM) Close() error {
	p.timer.Stop()
	return nil
}

// PressPowerButton asks the guest to shut down. It is false if the guest has
// not enabled the button: nothing will happen then until it does.
func (p *PM) PressPowerButton() (enabled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status |= bitPowerButton
	p.update()
	return p.enable&bitPowerButton != 0
}

// ticks is the PM timer without the limit of its width.
func (p *PM) ticks() uint64 {
	hi, lo := bits.Mul64(uint64(max(p.cfg.Clock.Now(), 0)), TimerFrequency)
	q, _ := bits.Div64(hi, lo, uint64(time.Second))
	return q
}

// half is the number of ticks after which the timer's highest bit changes,
// which is what TMR_STS reports.
func (p *PM) half() uint64 { return 1 << (p.cfg.TimerBits - 1) }

// update takes note of the timer, drives SCI, and sets the timer for the next
// change of the highest bit if the guest wants to know.
func (p *PM) update() {
	now := p.ticks()
	if n := now / p.half(); n != p.halves {
		p.halves = n
		p.status |= bitTimer
	}
	p.sci.Set(p.status&p.enable != 0)
	if p.enable&bitTimer == 0 || p.status&bitTimer != 0 {
		p.timer.Stop()
		return
	}
	left := (p.halves+1)*p.half() - now // at most 2^31: no overflow below
	p.timer.Reset(time.Duration((left*uint64(time.Second))/TimerFrequency + 1))
}

func (p *PM) due() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.update()
}
