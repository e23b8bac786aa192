//! `orchestra rebuild`: the rows and the files below `.orchestra/`, made anew from the journal.

use crate::{commands::Done, failure::Failure, session::Session};

pub(crate) async fn run(session: &Session) -> Result<Done, Failure> {
    let what = "rebuild";
    let mut client = session.connect(what).await?;
    let rebuilt =
        client.rebuild(&session.root).await.map_err(|error| Failure::client(what, error))?;
    if session.json {
        anstream::println!("{}", serde_json::json!(rebuilt));
    } else {
        anstream::println!("{} runs written anew below .orchestra/", rebuilt.runs);
        for frozen in &rebuilt.frozen {
            anstream::println!("left as it was: {frozen}");
        }
    }
    Ok(if rebuilt.frozen.is_empty() { Done::Well } else { Done::Badly })
}
