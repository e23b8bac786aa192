//! Giving up what goes beyond an ordinary user: root's capabilities would read every process's environment
//! past any sandbox for files.

use rustix::io;

/// Nothing that this process executes has more privileges than it.
#[cfg(target_os = "linux")]
pub(super) fn gain_none() -> std::io::Result<()> {
    Ok(rustix::thread::set_no_new_privs(true)?)
}

/// For good: neither this process nor what it executes gets any of it back.
#[cfg(target_os = "linux")]
pub(super) fn drop_all() -> std::io::Result<()> {
    use rustix::thread::{
        CapabilitiesSecureBits as Bits, CapabilitySet, CapabilitySets, capabilities,
        capabilities_secure_bits, capability_is_in_bounding_set, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits,
    };
    gain_none()?;
    clear_ambient_capability_set()?;
    // Without this capability nothing can be changed below, and nothing has to be: what a program gains
    // when it is executed is cut off by the line above.
    if capabilities(None)?.effective.contains(CapabilitySet::SETPCAP) {
        // The user root has no meaning of its own any more.
        let bits = Bits::NO_ROOT
            | Bits::NO_ROOT_LOCKED
            | Bits::NO_SETUID_FIXUP
            | Bits::NO_SETUID_FIXUP_LOCKED
            | Bits::KEEP_CAPS_LOCKED
            | Bits::NO_CAP_AMBIENT_RAISE
            | Bits::NO_CAP_AMBIENT_RAISE_LOCKED;
        set_capabilities_secure_bits((capabilities_secure_bits()? - Bits::KEEP_CAPS) | bits)?;
        for number in 0..u64::BITS {
            let capability = CapabilitySet::from_bits_retain(1 << number);
            match capability_is_in_bounding_set(capability) {
                Ok(true) => remove_capability_from_bounding_set(capability)?,
                Ok(false) => {}
                // The kernel has no more of them.
                Err(io::Errno::INVAL) => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(())
}

/// macOS has nothing of the kind.
#[cfg(not(target_os = "linux"))]
pub(super) fn gain_none() -> std::io::Result<()> {
    Ok(())
}

/// As above.
#[cfg(not(target_os = "linux"))]
pub(super) fn drop_all() -> std::io::Result<()> {
    Ok(())
}
