//! As much of HTTP/1.1 as agent programs need from a model: one request for each connection.

use serde_json::Value;
use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

/// A conversation has some hundred KiB with all its tools.
const LARGEST_BODY: u64 = 64 << 20;

pub(super) struct Request {
    /// Without the query.
    pub(super) path: String,
    /// From the headers in which the providers take it.
    pub(super) key: Option<String>,
    /// Null when there was none, or no JSON.
    pub(super) body: Value,
}

pub(super) enum Answer {
    Json(Value),
    /// Server-sent events; each with its name, where the format has names.
    Events(Vec<(Option<&'static str>, Value)>),
    NotFound,
}

impl Request {
    pub(super) fn read(stream: &TcpStream) -> io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let target = line.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let (mut key, mut length, mut is_chunked) = (None, 0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => key = value.strip_prefix("Bearer ").map(str::to_owned),
                "x-goog-api-key" | "x-api-key" => key = Some(value.to_owned()),
                "content-length" => length = value.parse().unwrap_or(0),
                "transfer-encoding" => is_chunked = value.eq_ignore_ascii_case("chunked"),
                // Whoever asks waits a second for this before it sends its body.
                "expect" => (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
                _ => {}
            }
        }
        let body = if is_chunked { chunks(&mut reader)? } else { exactly(&mut reader, length)? };
        Ok(Self { path, key, body: serde_json::from_slice(&body).unwrap_or_default() })
    }
}

fn exactly(reader: &mut BufReader<&TcpStream>, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    reader.take(length.min(LARGEST_BODY)).read_to_end(&mut body)?;
    Ok(body)
}

fn chunks(reader: &mut BufReader<&TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        body.extend(exactly(reader, length)?);
        reader.read_line(&mut line)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

impl Answer {
    pub(super) fn write(&self, mut stream: &TcpStream) -> io::Result<()> {
        let (status, kind, body) = match self {
            Self::Json(value) => ("200 OK", "application/json", value.to_string()),
            Self::NotFound => ("404 Not Found", "application/json", "{}".to_owned()),
            Self::Events(events) => ("200 OK", "text/event-stream", lines(events)),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

fn lines(events: &[(Option<&str>, Value)]) -> String {
    let line = |(name, data): &(Option<&str>, Value)| {
        let name = name.map(|name| format!("event: {name}\n")).unwrap_or_default();
        format!("{name}data: {data}\n\n")
    };
    events.iter().map(line).collect()
}
