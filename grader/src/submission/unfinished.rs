//! Whether an exercise has been begun.

use super::code::{is_word, without_texts};

/// Whether the code of a Rust source, its comments and texts aside, contains `todo!`.
///
/// ```
/// use grader::submission::is_unfinished;
///
/// assert!(is_unfinished("fn main() { todo!() }"));
/// assert!(!is_unfinished("fn main() { println!(\"todo!()\") } // todo!()"));
/// ```
#[must_use]
pub fn is_unfinished(source: &str) -> bool {
    let code = without_texts(source);
    code.match_indices("todo").any(|(at, word)| {
        let after = code[at + word.len()..].trim_start();
        // `todo != 1` compares a variable.
        !code[..at].ends_with(is_word) && after.starts_with('!') && !after.starts_with("!=")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn todo_in_code_is_unfinished() {
        for source in [
            "fn main() { todo!(\"print it\") }",
            "todo ! ()",
            "todo /* not yet */ !()",
            "let quote = '\"'; todo!()",
            "let quote = '\\''; todo!()",
            "fn f<'a>(x: &'a str) { todo!() }",
            "let t = r#\"a \" b\"#; todo!()",
            "let t = \"a \\\\\"; todo!()",
            "std::todo!()",
            "/* a /* b */ c */ todo!()",
        ] {
            assert!(is_unfinished(source), "{source}");
        }
    }

    #[test]
    fn todo_elsewhere_is_not() {
        for source in [
            "",
            "// todo!()",
            "//! todo!()\nfn main() {}",
            "/* a /* b */ todo!() */",
            "\"todo!()\"",
            "\"a \\\" todo!()\"",
            "r\"\\\"; fn f() {}",
            "r#\"\" todo!()\"#",
            "br\"todo!()\"",
            "c\"todo!()\"",
            "my_todo!()",
            "todo_list!()",
            "if todo != 1 {}",
            "fn todo() {}",
            "/* never closed todo!()",
            "\"never closed todo!()",
        ] {
            assert!(!is_unfinished(source), "{source}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_around_it_todo_is_found_before_it_and_never_without_it(source in "[ a-z'\"\\\\#/*r!é]{0,40}") {
            let with_todo = format!("todo!() {source}");
            proptest::prop_assert!(is_unfinished(&with_todo));
            proptest::prop_assert!(!is_unfinished(&source) || source.contains("todo"));
        }
    }
}
