//! A way into a program before its `main`, for programs whose `main` is not the user's own.

/// Makes a test program able to start processes, under the ordinary test harness.
///
/// Write it once, at the top of a file of tests. The test harness owns `main`, so there is no place for
/// [`init`](crate::init): a child would run the tests again. This registers a function that the dynamic
/// loader calls before `main`, which does what `init` does. A child therefore never reaches the harness.
///
/// ```no_run
/// multiprocessing::init_tests!();
///
/// #[test]
/// fn a_square_comes_back() {
///     let process = multiprocessing::spawn(|x: u32| x * x, 10).unwrap();
///     assert_eq!(process.join().unwrap(), 100);
/// }
/// # fn main() {}
/// ```
///
/// What such a child may not rely on is what Rust prepares just before `main`: a stack overflow ends it with
/// SIGSEGV and without the usual message.
#[macro_export]
macro_rules! init_tests {
    () => {
        const _: () = {
            extern "C" fn before_main() {
                $crate::init();
            }
            // The loader calls every function in this section once, on the only thread there is.
            #[used]
            #[unsafe(link_section = ".init_array")]
            static BEFORE_MAIN: extern "C" fn() = before_main;
        };
    };
}

#[cfg(test)]
mod tests {
    // For the unit tests of the whole crate.
    crate::init_tests!();
}
