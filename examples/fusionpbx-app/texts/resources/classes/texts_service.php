<?php

/**
 * Text messages of all domains. It keeps the last ones and tells of each that is sent.
 */
class texts_service extends base_websocket_system_service {

	/** How many messages are kept. */
	private const KEPT = 100;

	/** The last messages, the oldest first. */
	private $messages = [];

	public static function get_service_name(): string {
		return 'texts';
	}

	/**
	 * strowger does not call this: its policy decides. An app that must also run with FusionPBX's own router returns
	 * a filter here.
	 */
	public static function create_filter_chain_for(subscriber $subscriber): ?filter {
		return null;
	}

	protected static function display_version(): void {
		echo "Texts 1.0\n";
	}

	public function reload_settings(): void {
		parent::$config->read();
	}

	protected function register_topics(): void {
		$this->on_topic('send', [$this, 'on_send']);
		$this->on_topic('messages', [$this, 'on_messages']);
	}

	/** Sends a message, tells the domain of it, and answers. */
	protected function on_send(websocket_message $request): void {
		$payload = $request->payload();
		$message = [
			'domain_name' => $request->domain_name(), // of the asker's token, as the router writes it
			'to' => $payload['to'] ?? '',
			'text' => $payload['text'] ?? '',
		];
		$this->messages = array_slice([...$this->messages, $message], -self::KEPT);
		$this->respond(new websocket_message([
			'service_name' => self::get_service_name(),
			'topic' => 'MESSAGE',
			'payload' => $message,
		]));
		$this->answer($request, 'sent', ['to' => $message['to']]);
	}

	/** Answers with the messages that are kept. The policy takes those of other domains out of the list. */
	protected function on_messages(websocket_message $request): void {
		$this->answer($request, 'messages', $this->messages);
	}

	/** An answer has both ids of the request: by resource_id the router knows whose it is, by request_id the page. */
	private function answer(websocket_message $request, string $topic, array $payload): void {
		$this->respond(new websocket_message([
			'service_name' => self::get_service_name(),
			'topic' => $topic,
			'status_string' => 'ok',
			'status_code' => 200,
			'request_id' => $request->request_id(),
			'resource_id' => $request->resource_id(),
			'payload' => $payload,
		]));
	}
}
