//! From the names of files, images and programs to the name of a service.

/// A name for a service made from a text: its lower-case letters and digits, everything else a dash. `None` where nothing
/// is left.
pub fn slug(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let plain = lower.chars().map(|char| if char.is_ascii_lowercase() || char.is_ascii_digit() { char } else { '-' });
    let plain: String = plain.take(48).collect();
    let parts: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("-"))
}

/// The last part of an image's name, without registry, tag and digest: `cart` of `example.org/shop/cart:dev`.
pub fn image_stem(reference: &str) -> &str {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    name.split(['@', ':']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_whatever_they_are_made_from() {
        assert_eq!(slug("My Cart.v2").as_deref(), Some("my-cart-v2"));
        assert_eq!(slug("../..").as_deref(), None);
        assert_eq!(slug(&"a".repeat(200)).map(|name| name.len()), Some(48));
        assert_eq!(image_stem("example.org:5000/shop/cart:dev"), "cart");
        assert_eq!(image_stem("cart@sha256:00"), "cart");
    }
}
