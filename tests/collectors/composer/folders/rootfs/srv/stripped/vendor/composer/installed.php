<?php return array(
    'root' => array(
        'name' => 'example/shop',
        'pretty_version' => 'dev-main',
        'version' => 'dev-main',
        'reference' => '0123456789012345678901234567890123456789',
        'type' => 'project',
        'install_path' => __DIR__ . '/../../',
        'aliases' => array(),
        'dev' => true,
    ),
    'versions' => array(
        'example/shop' => array(
            'pretty_version' => 'dev-main',
            'version' => 'dev-main',
            'reference' => '0123456789012345678901234567890123456789',
            'type' => 'project',
            'install_path' => __DIR__ . '/../../',
            'aliases' => array(),
            'dev_requirement' => false,
        ),
        'phpunit/phpunit' => array(
            'pretty_version' => '9.6.1',
            'version' => '9.6.1.0',
            'reference' => NULL,
            'type' => 'library',
            'install_path' => __DIR__ . '/../phpunit/phpunit',
            'aliases' => array(),
            'dev_requirement' => true,
        ),
        'psr/log-implementation' => array(
            'dev_requirement' => false,
            'provided' => array(
                0 => '1.0',
            ),
        ),
        'symfony/console' => array(
            'pretty_version' => 'v6.4.2',
            'version' => '6.4.2.0',
            'reference' => '0254811a143e6bc6c8deea08b589a7e68a37f625',
            'type' => 'library',
            'install_path' => __DIR__ . '/../symfony/console',
            'aliases' => array(
                0 => '6.4.x-dev',
            ),
            'dev_requirement' => false,
        ),
    ),
);
