//! Functions without data, made out of nothing.

/// Whether `F` holds no data, so that a copy of it can be had in another process from its type alone.
pub(crate) const fn holds_no_data<F>() -> bool {
    size_of::<F>() == 0
}

/// Makes a value of a function type that holds no data.
///
/// The caller has to have been given a value of `F` in the process that sent the call: then the type is
/// inhabited, and since it is `Copy` there may be one more of it.
///
/// The same goes for values without data that a closure has captured. What one of them is to prove beyond that it exists,
/// of the process that it was made in, it does not prove here: the manual says so.
pub(crate) fn conjure<F: Copy>() -> F {
    // Whoever offers a function that holds data is told so by the compiler, once: in `entry`. So this is no constant.
    assert!(holds_no_data::<F>(), "only a function without data can be made from its type");
    // SAFETY: `zeroed` asks that all-zero bytes are a valid `F`. `F` has no bytes at all, so nothing can be
    // invalid about them; it is inhabited, since every way into this function starts from a value of `F` in
    // the parent.
    unsafe { std::mem::zeroed() }
}
