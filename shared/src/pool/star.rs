//! Functions of several arguments, called with tuples.

/// A function of two to six arguments, as [`Pool::starmap`](super::Pool::starmap) takes it.
///
/// It is there for every such function; nobody needs to implement it.
pub trait StarFn<Arguments> {
    /// What the function returns.
    type Output;

    /// Calls the function with the members of the tuple as its arguments.
    fn call_star(&self, arguments: Arguments) -> Self::Output;
}

macro_rules! star_fn {
    ($($argument:ident)+) => {
        impl<Function, Return, $($argument),+> StarFn<($($argument,)+)> for Function
        where
            Function: Fn($($argument),+) -> Return,
        {
            type Output = Return;

            #[expect(non_snake_case, reason = "the variables have the names of their types")]
            fn call_star(&self, ($($argument,)+): ($($argument,)+)) -> Return {
                self($($argument),+)
            }
        }
    };
}

star_fn!(A B);
star_fn!(A B C);
star_fn!(A B C D);
star_fn!(A B C D E);
star_fn!(A B C D E F);
