package apic

// Broadcast is the physical destination that means every APIC.
const Broadcast = 0xFFFFFFFF

// xAPICBroadcast is the same in messages with an 8-bit destination.
const xAPICBroadcast = 0xFF

// Message is an interrupt message on its way to local APICs.
type Message struct {
	Dest    uint32 // physical or logical destination
	Vector  uint8
	Mode    uint8 // DeliveryFixed and so on
	Logical bool
	Level   bool // level-triggered: its EOI goes to the I/O APIC
}

// MSI decodes a message-signalled interrupt (SDM volume 3A, section 11.11
// "Message Signalled Interrupts"). Address bits 11:5 carry destination bits
// 14:8, as guests that see KVM's MSI_EXT_DEST_ID feature expect.
func MSI(addr uint64, data uint32) Message {
	return Message{
		Dest:    wide(uint32(addr>>12)&0xFF|uint32(addr>>5)&0x7F<<8, addr>>2&1 != 0),
		Vector:  uint8(data),
		Mode:    uint8(data >> 8 & 7),
		Logical: addr>>2&1 != 0,
		Level:   data>>15&1 != 0,
	}
}

// IOAPIC decodes a redirection table entry (82093AA datasheet, section 3.2.4
// "IOREDTBL").
func IOAPIC(entry uint64) Message {
	logical := entry>>11&1 != 0
	return Message{
		Dest:    wide(uint32(entry>>56), logical),
		Vector:  uint8(entry),
		Mode:    uint8(entry >> 8 & 7),
		Logical: logical,
		Level:   entry>>15&1 != 0,
	}
}

// wide turns the 8-bit physical broadcast into the 32-bit one.
func wide(dest uint32, logical bool) uint32 {
	if !logical && dest == xAPICBroadcast {
		return Broadcast
	}
	return dest
}
