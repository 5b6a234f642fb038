plain text, no php
