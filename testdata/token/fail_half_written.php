<?php
return array ( 'token' => arr