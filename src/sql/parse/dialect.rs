//! How text falls into tokens and expressions: sqlparser's generic dialect less what streams never say, plus table versions.

use std::any::TypeId;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use sqlparser::dialect::{Dialect, GenericDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Passes for the generic dialect where sqlparser asks which one it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StreamDialect;

impl Dialect for StreamDialect {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        character == '"' || character == '`'
    }

    fn is_identifier_start(&self, character: char) -> bool {
        character.is_alphabetic() || character == '_'
    }

    fn is_identifier_part(&self, character: char) -> bool {
        character.is_alphanumeric() || character == '_' || character == '$'
    }

    // `7 DIV 2`; and what is on the right of `a IS DISTINCT FROM b AND c` ends before AND, as everywhere else.
    fn parse_infix(&self, parser: &mut Parser, left: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        let operator: fn(Box<Expr>, Box<Expr>) -> Expr = if parser.parse_keyword(Keyword::DIV) {
            |left, right| Expr::BinaryOp { left, op: BinaryOperator::MyIntegerDivide, right }
        } else if parser.parse_keywords(&[Keyword::IS, Keyword::DISTINCT, Keyword::FROM]) {
            Expr::IsDistinctFrom
        } else if parser.parse_keywords(&[Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM]) {
            Expr::IsNotDistinctFrom
        } else {
            return None;
        };
        Some(parser.parse_subexpr(precedence).map(|right| operator(Box::new(left.clone()), Box::new(right))))
    }

    // `j -> -1 -> 'a'`: the minus is the number's.
    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let [sign, number, behind] = parser.peek_tokens();
        (sign == Token::Minus && matches!(number, Token::Number(..)) && is_path(&behind)).then(|| {
            parser.advance_token();
            let number = parser.parse_value()?;
            Ok(Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(Expr::Value(number)) })
        })
    }

    // `j->>'n' = 'x'`, `'a' || j->>'n'`: a path into JSON before every comparison and sum, behind `::` as in PostgreSQL.
    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        matches!(
            parser.peek_token_ref().token,
            Token::Arrow | Token::LongArrow | Token::HashArrow | Token::HashLongArrow
        )
        .then(|| Ok(self.prec_value(Precedence::DoubleColon) - 1))
    }

    // `orders FOR SYSTEM_TIME AS OF o.ts`
    fn supports_table_versioning(&self) -> bool {
        true
    }

    // `(t AS a)`: the marks that windows leave are put around relations after parsing.
    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_dictionary_syntax(&self) -> bool {
        true
    }

    fn support_map_literal_syntax(&self) -> bool {
        true
    }

    fn supports_struct_literal(&self) -> bool {
        true
    }

    fn supports_select_wildcard_except(&self) -> bool {
        true
    }

    fn supports_select_wildcard_exclude(&self) -> bool {
        true
    }

    fn supports_select_wildcard_replace(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_values_as_table_factor(&self) -> bool {
        true
    }

    fn supports_try_convert(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_string_escape_constant(&self) -> bool {
        true
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_array_typedef_with_brackets(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn allow_extract_single_quotes(&self) -> bool {
        true
    }

    fn supports_extract_comma_syntax(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    // `$$` is no string here: what follows it must stay readable.
    fn supports_dollar_placeholder(&self) -> bool {
        true
    }

    // `HEADER(key => 'a')`
    fn supports_named_fn_args_with_rarrow_operator(&self) -> bool {
        true
    }
}

/// Whether a path into JSON goes on here.
fn is_path(token: &Token) -> bool {
    matches!(token, Token::Arrow | Token::LongArrow | Token::HashArrow | Token::HashLongArrow)
}
