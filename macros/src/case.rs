//! Converts names of types to names of functions, and back.

/// Returns a name in the style of functions: `put_all` for `PutAll`, `http_get` for `HTTPGet`.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let after = letters.get(index + 1);
        let ends_word = before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
        let ends_acronym = before.is_some_and(|before| before.is_uppercase())
            && after.is_some_and(|after| after.is_lowercase());
        if letter.is_uppercase() && (ends_word || ends_acronym) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Returns a name in the style of types, which can start the name of a type: `PutAll` for `put_all`.
pub(crate) fn camel_start(name: &str) -> String {
    let camel = camel(name);
    match camel.starts_with(|first: char| !first.is_numeric()) {
        true => camel,
        // No name begins with a digit.
        false => format!("_{camel}"),
    }
}

/// Returns a name in the style of types: `PutAll` for `put_all`.
pub(crate) fn camel(name: &str) -> String {
    let mut camel = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.extend(letters);
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions() {
        for (name, expected) in [
            ("Put", "put"),
            ("PutAll", "put_all"),
            ("HTTPGet", "http_get"),
            ("GetV2", "get_v2"),
            ("Get2Of", "get2_of"),
            ("Get_All", "get_all"),
            ("match", "match"),
            ("ÄndereName", "ändere_name"),
        ] {
            assert_eq!(snake(name), expected);
        }
    }

    #[test]
    fn names_of_types() {
        for (name, expected) in [("Put", "Put"), ("put_all", "PutAll"), ("enum", "Enum")] {
            assert_eq!((camel(name).as_str(), camel_start(name).as_str()), (expected, expected));
        }
        for (name, expected) in [("_3d", "_3d"), ("__", "_")] {
            assert_eq!(camel_start(name), expected);
        }
    }
}
