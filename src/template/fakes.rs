//! Plausible invented values: people, places, companies, and bank accounts whose check digits are right.

use fake::Fake;
use fake::faker::{address, company, creditcard, internet, job, lorem, name, phone_number};
use fake::locales::EN;
use minijinja::{Error, ErrorKind};
use rand::RngExt;
use rand::rngs::SmallRng;

use crate::core::words::did_you_mean;

/// What `fake('…')` can invent.
pub const FAKE_KINDS: [&str; 26] = [
    "bic",
    "city",
    "company",
    "country",
    "country_code",
    "credit_card",
    "currency",
    "digits",
    "email",
    "first_name",
    "iban",
    "ip",
    "job",
    "last_name",
    "name",
    "phone",
    "postcode",
    "product",
    "sentence",
    "sku",
    "state",
    "street",
    "url",
    "user_name",
    "uuid",
    "word",
];

const CURRENCIES: [&str; 8] = ["EUR", "USD", "GBP", "CHF", "SEK", "DKK", "PLN", "JPY"];
const BANKS: [&str; 6] = ["DEUTDEFF", "COBADEFF", "GIBAATWW", "RZBAATWW", "ABNANL2A", "BCEELULL"];
const PRODUCTS: [(&str, &str); 10] = [
    ("KETTLE", "Enamel kettle"),
    ("LAMP", "Desk lamp"),
    ("MUG", "Stoneware mug"),
    ("CHAIR", "Oak chair"),
    ("RUG", "Woollen rug"),
    ("PAN", "Cast iron pan"),
    ("KNIFE", "Bread knife"),
    ("TOWEL", "Linen towel"),
    ("SHELF", "Wall shelf"),
    ("CLOCK", "Station clock"),
];

/// An invented value of a kind.
pub(super) fn invent(kind: &str, rng: &mut SmallRng) -> Result<String, Error> {
    Ok(match kind {
        "name" => name::raw::Name(EN).fake_with_rng(rng),
        "first_name" => name::raw::FirstName(EN).fake_with_rng(rng),
        "last_name" => name::raw::LastName(EN).fake_with_rng(rng),
        // example.com and its sisters: no invented address can ever reach a person.
        "email" => internet::raw::SafeEmail(EN).fake_with_rng(rng),
        "user_name" => internet::raw::Username(EN).fake_with_rng(rng),
        "ip" => internet::raw::IPv4(EN).fake_with_rng(rng),
        "url" => format!("https://example.com/{}", Fake::fake_with_rng::<String, _>(&lorem::raw::Word(EN), rng)),
        "phone" => phone_number::raw::PhoneNumber(EN).fake_with_rng(rng),
        "city" => address::raw::CityName(EN).fake_with_rng(rng),
        "street" => {
            let street: String = address::raw::StreetName(EN).fake_with_rng(rng);
            format!("{} {street}", rng.random_range(1..300))
        }
        "postcode" => address::raw::ZipCode(EN).fake_with_rng(rng),
        "state" => address::raw::StateName(EN).fake_with_rng(rng),
        "country" => address::raw::CountryName(EN).fake_with_rng(rng),
        "country_code" => address::raw::CountryCode(EN).fake_with_rng(rng),
        "company" => company::raw::CompanyName(EN).fake_with_rng(rng),
        "job" => job::raw::Title(EN).fake_with_rng(rng),
        "credit_card" => creditcard::raw::CreditCardNumber(EN).fake_with_rng(rng),
        "word" => lorem::raw::Word(EN).fake_with_rng(rng),
        "sentence" => lorem::raw::Sentence(EN, 4..9).fake_with_rng(rng),
        "iban" => iban(rng),
        "bic" => pick(&BANKS, rng).into(),
        "currency" => pick(&CURRENCIES, rng).into(),
        "product" => PRODUCTS[rng.random_range(0..PRODUCTS.len())].1.into(),
        "sku" => format!("{}-{:04}", PRODUCTS[rng.random_range(0..PRODUCTS.len())].0, rng.random_range(0..10_000)),
        "digits" => digits(8, rng),
        "uuid" => uuid(rng).to_string(),
        _ => {
            let known =
                did_you_mean(kind, FAKE_KINDS).unwrap_or_else(|| format!("known are {}", FAKE_KINDS.join(", ")));
            return Err(Error::new(ErrorKind::InvalidOperation, format!("nothing invents `{kind}`; {known}")));
        }
    })
}

/// A version 4 UUID.
pub(super) fn uuid(rng: &mut SmallRng) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(rng.random()).into_uuid()
}

/// A bank account number with right check digits (ISO 13616): German, Austrian, Dutch or Luxembourgish.
fn iban(rng: &mut SmallRng) -> String {
    let (country, account) = match rng.random_range(0..4) {
        0 => ("DE", digits(18, rng)),
        1 => ("AT", digits(16, rng)),
        2 => ("NL", format!("ABNA{}", digits(10, rng))),
        _ => ("LU", digits(16, rng)),
    };
    let check = 98 - remainder_of_97(&format!("{account}{country}00"));
    format!("{country}{check:02}{account}")
}

/// ISO 7064: letters count as 10 to 35, and the whole as one number modulo 97.
fn remainder_of_97(text: &str) -> u32 {
    text.chars().fold(0, |rest, letter| {
        let value = letter.to_digit(36).unwrap_or_default();
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

fn digits(count: usize, rng: &mut SmallRng) -> String {
    (0..count).map(|_| char::from(b'0' + rng.random_range(0..10_u8))).collect()
}

fn pick<'a>(choices: &[&'a str], rng: &mut SmallRng) -> &'a str {
    choices[rng.random_range(0..choices.len())]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_kind_invents_something_and_the_same_from_the_same_seed() {
        for kind in FAKE_KINDS {
            let [first, second] = [0, 0].map(|_| invent(kind, &mut SmallRng::seed_from_u64(7)).unwrap());
            assert!(!first.is_empty(), "{kind}");
            assert_eq!(first, second, "{kind}");
        }
    }

    #[test]
    fn every_iban_has_right_check_digits() {
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..500 {
            let iban = iban(&mut rng);
            assert_eq!(remainder_of_97(&format!("{}{}", &iban[4..], &iban[..4])), 1, "{iban}");
        }
        // The register's own example of a German account.
        assert_eq!(remainder_of_97("370400440532013000DE89"), 1);
    }

    #[test]
    fn a_misspelt_kind_is_answered_with_the_nearest() {
        let error = invent("e_mail", &mut SmallRng::seed_from_u64(1)).unwrap_err();
        assert!(error.to_string().contains("`email`"), "{error}");
    }
}
