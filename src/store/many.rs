//! Many rows in one statement: what is written one by one elsewhere, written at once, as one change of many things needs it.
//!
//! D1 takes 100 parameters in a statement and 1,000 statements in an invocation, so the rows go as one JSON parameter:
//!
//! ```text
//! insert into t (a, b) values (?1, ?2)      insert into t (a, b) select w.p1, w.p2 from (rows) w
//! update t set a = ?2 where id = ?1         update t set a = w.p2 from (rows) w where id = w.p1
//! rows = select value ->> 0 as p1, value ->> 1 as p2 from json_each(?1) order by key
//! ```

use serde_json::Value;

use crate::ports::{Param, Statement};

/// The most bytes of one parameter: D1 takes two million.
const MAX_BYTES: usize = 512 * 1024;

/// Joins statements of the same SQL, which insert or update one row each, in their order.
#[must_use]
pub fn many(statements: impl IntoIterator<Item = Statement>) -> Vec<Statement> {
    let mut joined: Vec<Rows> = Vec::new();
    for Statement { sql, params } in statements {
        let row = serde_json::to_string(&params.into_iter().map(value).collect::<Vec<_>>()).unwrap_or_default();
        match joined.iter_mut().find(|rows| rows.sql == sql && rows.text.len() + row.len() < MAX_BYTES) {
            Some(rows) => rows.text = format!("{},{row}", rows.text),
            None => joined.push(Rows { sql: sql.into_owned(), text: row }),
        }
    }
    joined.into_iter().map(Rows::statement).collect()
}

/// Rows for one SQL text.
struct Rows {
    sql: String,
    /// The rows as JSON arrays, commas between them.
    text: String,
}

impl Rows {
    fn statement(self) -> Statement {
        Statement { sql: of_rows(&self.sql).into(), params: vec![Param::Text(format!("[{}]", self.text))] }
    }
}

/// The SQL over many rows in the place of parameters.
fn of_rows(sql: &str) -> String {
    let count = (1..=100).take_while(|number| sql.contains(&format!("?{number}"))).count();
    // From the last one on: `?1` is the beginning of `?10`.
    let named = (1..=count)
        .rev()
        .fold(sql.to_owned(), |sql, number| sql.replace(&format!("?{number}"), &format!("w.p{number}")));
    let columns: Vec<String> = (1..=count).map(|number| format!("value ->> {} as p{number}", number - 1)).collect();
    let rows = format!("(select {} from json_each(?1) order by key) w", columns.join(", "));
    if let Some((head, values)) = named.split_once(" values (") {
        format!("{head} select {} from {rows}", values.trim_end_matches(')'))
    } else if let Some((head, condition)) = named.split_once(" where ") {
        format!("{head} from {rows} where {condition}")
    } else {
        named
    }
}

fn value(param: Param) -> Value {
    match param {
        Param::Null => Value::Null,
        Param::Integer(number) => number.into(),
        Param::Text(text) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sql: &'static str, params: &[i64]) -> Statement {
        Statement { sql: sql.into(), params: params.iter().map(|number| (*number).into()).collect() }
    }

    #[test]
    fn an_insert_and_an_update_take_their_rows_from_one_parameter() {
        const INSERT: &str = "insert into t (a, b) values (?1, ?2)";
        const UPDATE: &str = "update t set a = ?2, b = iif(?3, 1, b) where id = ?1";
        let joined = many([row(INSERT, &[1, 2]), row(UPDATE, &[7, 8, 1]), row(INSERT, &[3, 4])]);
        let rows = |columns: &str| format!("(select {columns} from json_each(?1) order by key) w");
        assert_eq!(joined.len(), 2);
        assert_eq!(
            joined[0].sql,
            format!("insert into t (a, b) select w.p1, w.p2 from {}", rows("value ->> 0 as p1, value ->> 1 as p2"))
        );
        assert_eq!(joined[0].params, [Param::Text("[[1,2],[3,4]]".to_owned())]);
        assert_eq!(
            joined[1].sql,
            format!(
                "update t set a = w.p2, b = iif(w.p3, 1, b) from {} where id = w.p1",
                rows("value ->> 0 as p1, value ->> 1 as p2, value ->> 2 as p3")
            )
        );
    }

    #[test]
    fn what_is_too_long_for_one_parameter_goes_in_several() {
        let text = Param::Text("x".repeat(MAX_BYTES / 3));
        let row = || Statement { sql: "insert into t (a) values (?1)".into(), params: vec![text.clone()] };
        assert_eq!(many([row(), row(), row()]).len(), 2);
    }
}
